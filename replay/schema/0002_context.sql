-- What came later, so that capsules from before lack it: what else the context told of the job, and what the handler returned, if its kind keeps
-- that (docs/formats/capsule.md).
create table tenure_capsule_context (
  only_one integer primary key check (only_one = 1),
  queue text not null,
  enqueued_us integer not null,
  returned text
) strict;
