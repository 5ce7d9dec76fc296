create table invoice (id integer primary key, address text not null, total_cents integer not null, closed integer not null default 0) strict;
create table letter (number integer primary key, invoice integer not null, sent_us integer not null) strict;
create table draft (number integer primary key, text text not null) strict;
