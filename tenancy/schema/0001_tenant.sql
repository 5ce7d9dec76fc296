-- Tenure's own tables in a tenant's database. The application's tables lie beside them.

-- One row: whose file this is and what may be done with it. state: TenantState of registry.hpp.
create table tenure_stamp (
  only_one integer not null primary key check (only_one = 1),
  schema integer not null,
  tenant text not null,
  generation integer not null check (generation > 0),
  application text not null,
  state integer not null,
  outbox_epoch integer not null
) strict;

-- "This step of this job is done." The token is (incarnation, counter) of the claim that wrote it.
create table tenure_receipts (
  job_id blob not null check (length(job_id) = 16),
  step text not null,
  incarnation integer not null,
  counter integer not null,
  written_us integer not null,
  result blob,
  primary key (job_id, step)
) strict, without rowid;

-- Jobs on their way to the control database, in commit order; seq is never used twice, so that a watermark can stand on it.
create table tenure_outbox (
  seq integer not null primary key autoincrement,
  job_id blob not null unique check (length(job_id) = 16),
  envelope blob not null
) strict;
