-- tenure: code
-- On which shelf of the archive's pool a package lies: "a", "libx". The C++ half (fill_shelves) fills the rows that are there.

alter table package add column shelf text not null default '';

create index package_shelf on package (shelf, name);
