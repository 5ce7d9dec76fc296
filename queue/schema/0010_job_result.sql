-- What handlers of jobs that have succeeded returned, of kinds that keep it: docs/formats/control-database.md. A row goes with its job, or when
-- its time is over.

create table job_result(
  seq integer primary key,
  result text not null,
  keep_until_us integer not null
) strict;

create index job_result_over on job_result(keep_until_us);
