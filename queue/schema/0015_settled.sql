-- The greatest sequence of a job whose success was ever settled: a list of successes begins there, and not at what waits behind it.
insert into mark(name, seq) select 'settled', coalesce(max(seq), 0) from job;
