create table note (number integer primary key, text text not null) strict;
