FILES = ()
