-- Who performs what, as the dispatcher `incarnation` has last told: for those who only look, who show by it which jobs are held.
-- Changed when a worker process comes or goes, never for a job. Names and no numbers: a kind may have no job yet.

-- `workers`: live worker processes that have said hello.
create table pool(
  name text primary key,
  incarnation integer not null,
  workers integer not null check (workers >= 0)
) strict, without rowid;

-- The queues that it lists.
create table pool_queue(
  pool text not null,
  queue text not null,
  primary key (pool, queue)
) strict, without rowid;

-- The queues to which jobs of its kinds go by default, and that it need not list.
create table pool_default_queue(
  pool text not null,
  queue text not null,
  primary key (pool, queue)
) strict, without rowid;

-- The kinds that its worker processes have named in their hellos; those of the last ones where it has none.
create table pool_kind(
  pool text not null,
  kind text not null,
  primary key (pool, kind)
) strict, without rowid;
