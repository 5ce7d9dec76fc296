create table reminder (invoice integer not null, sent_us integer not null) strict;
