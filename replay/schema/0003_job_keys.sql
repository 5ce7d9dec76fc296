-- Of enqueued jobs those that have keys, a batch or a time before which they start (docs/formats/capsule.md). Capsules from before lack it.
create table tenure_capsule_job_keys (
  number integer primary key,
  keys text not null,
  start_before_us integer
) strict;
