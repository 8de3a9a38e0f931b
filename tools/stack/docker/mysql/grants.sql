-- Tests create their own databases.
GRANT ALL ON *.* TO chat@'%' WITH GRANT OPTION;
