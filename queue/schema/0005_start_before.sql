-- Jobs that are discarded where they have not started by some time: docs/formats/control-database.md. A row goes with the first attempt
-- that is recorded of its job, and with the job's end.

create table start_before(
  seq integer primary key,
  before_us integer not null
) strict;

create index start_before_time on start_before(before_us, seq);
