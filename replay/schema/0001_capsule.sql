-- What a run was given and did, beside the tables of the tenant as it was before the run (docs/formats/capsule.md).
create table tenure_capsule (
  only_one integer primary key check (only_one = 1),
  version integer not null,
  tenure_version text not null,
  program_version text not null,
  application text not null,
  started_us integer not null,
  masked text not null,
  job_id text not null,
  tenant text not null,
  generation integer not null,
  kind text not null,
  envelope text not null,
  cursor blob not null,
  attempt integer not null,
  attempts_max integer not null,
  releases integer not null,
  time_limit_us integer not null,
  seq integer not null,
  incarnation integer not null,
  counter integer not null,
  request integer,
  request_on integer,
  seed integer not null,
  outcome text not null,
  failure_code integer,
  error text,
  cursor_after blob not null,
  tables_not_recorded text not null
) strict;
create table tenure_capsule_reading (
  number integer primary key,
  time_us integer not null
) strict;
create table tenure_capsule_recorded (
  number integer primary key,
  name text not null,
  value text,
  failure_code integer,
  message text,
  tenant text,
  place text
) strict;
create table tenure_capsule_job (
  number integer primary key,
  id text not null,
  kind text not null,
  queue text not null,
  priority integer not null,
  due_us integer not null,
  attempts_max integer not null,
  arguments text not null
) strict;
create table tenure_capsule_change (
  number integer primary key,
  table_name text not null,
  kind integer not null,
  key text not null,
  before text,
  after text
) strict;
create table tenure_capsule_digest (
  only_one integer primary key check (only_one = 1),
  sha256 text not null
) strict;
