-- How the deletion of a buried tenant ends, from the moment on at which that has begun: whoever takes it back and whoever erases it
-- exclude each other by this row. `step`: 5 taking_back, 6 erasing.
create table deletion_end(
  tenant integer primary key,
  step integer not null check (step in (5, 6))
) strict;

-- Rows of zeros that take free pages for a while, so that nothing of what was deleted stays in them. Mostly empty.
create table free_page(
  number integer primary key,
  zeros blob not null
) strict;
