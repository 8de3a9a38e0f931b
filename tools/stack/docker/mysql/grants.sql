-- Tests make databases of their own.
GRANT ALL ON *.* TO chat@'%' WITH GRANT OPTION;
