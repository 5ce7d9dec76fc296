-- Batches of jobs: docs/formats/control-database.md. Members are counted in the batch's row by the commits that bring, end, retry or remove
-- them. `present`: members whose jobs are still there.

create table batch(
  number integer primary key autoincrement,
  id blob not null unique check (length(id) = 16),
  tenant integer not null,
  name text not null,
  created_us integer not null,
  closed_us integer,
  completed_us integer,
  succeeded_us integer,
  cancelled_us integer,
  members integer not null default 0,
  present integer not null default 0,
  succeeded integer not null default 0,
  dead integer not null default 0,
  discarded integer not null default 0,
  cancelled integer not null default 0
) strict;

-- Few: those that are not complete.
create index batch_open on batch(number) where completed_us is null;
-- Those that retention may forget.
create index batch_left on batch(completed_us) where completed_us is not null and present = 0;

-- `ended`: the state as which the member is counted; 0: it has not ended.
create table batch_job(
  seq integer primary key,
  batch integer not null,
  ended integer not null default 0
) strict;
create index batch_job_member on batch_job(batch, seq);

-- What it makes at each moment (1 complete, 2 success). `concurrency`: the key as it is stored, or empty.
create table batch_callback(
  batch integer not null,
  moment integer not null check (moment between 1 and 2),
  job blob not null unique check (length(job) = 16),
  queue text not null,
  kind text not null,
  priority integer not null,
  attempts_max integer not null,
  run_in_us integer not null,
  start_within_us integer not null,
  concurrency text not null,
  running_max integer not null,
  enqueued_us integer,
  refused text not null default '',
  envelope blob not null,
  primary key (batch, moment)
) strict;
