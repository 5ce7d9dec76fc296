create table note (number integer primary key, text text not null check (text <> '')) strict;
