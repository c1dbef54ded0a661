#!/opt/nowhere/python9
"""What is to run it is not there."""
