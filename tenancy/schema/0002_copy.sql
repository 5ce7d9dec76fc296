-- Only in a copy of a tenant's database: one row, when it was made. Of which tenant and generation, its stamp says.
create table tenure_copy (
  only_one integer not null primary key check (only_one = 1),
  copied_us integer not null
) strict;
