// Stands for a plug-in that has linked a SQLite of its own.
extern "C" const char* sqlite3_sourceid() { return "a second copy"; }
