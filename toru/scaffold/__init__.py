"""`toru new`: a plugin's first files.

project    makes a project of the templates
templates  what lies in one: `all` in each, then a folder for each language. @ID@ and the like are filled in.
"""

from toru.scaffold.project import Language, Project, make

__all__ = ["Language", "Project", "make"]
