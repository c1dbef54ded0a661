"""A package, unlike its neighbours, so that one host with plugins serves all of its tests (scope="package")."""
