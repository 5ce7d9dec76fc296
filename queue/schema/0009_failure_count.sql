-- Failures of jobs that have not ended, by the rule that has taken them: docs/formats/control-database.md. `rule` '': none has. `first_us`:
-- when the first of them ended.

create table failure_count(
  seq integer not null,
  rule text not null,
  failures integer not null check (failures between 1 and 2147483647),
  first_us integer not null,
  primary key (seq, rule)
) strict, without rowid;
