-- What debtrack knows of one maintainer. Each maintainer is a tenant, so this is the whole database of one of them.

create table maintainer (
  only_one integer not null primary key check (only_one = 1),
  address text not null
) strict;

-- One row an entry of the package list. There is no "or ignore": a job that ran twice would show as an error.
create table package (
  id integer not null primary key,
  name text not null,
  version text not null,
  architecture text not null,
  section text not null,
  installed_kib integer not null,
  summary text not null,
  unique (name, version, architecture)
) strict;

create table summary (
  only_one integer not null primary key check (only_one = 1),
  packages integer not null,
  installed_kib integer not null,
  largest integer not null references package (id)
) strict;

create table digest (
  only_one integer not null primary key check (only_one = 1),
  text text not null
) strict;
