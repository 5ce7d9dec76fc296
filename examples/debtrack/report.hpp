#pragma once

#include <tenure/client.hpp>

namespace debtrack {

// Opens every tenant's database and prints the largest, their digests, and the totals.
// Returns false where a database holds another maintainer's packages or lacks its summary or digest.
bool print_report(tenure::Client& client);

// One line a maintainer, "COUNT<TAB>MAINTAINER", by what the databases hold; for comparing with the input.
void print_counts(tenure::Client& client);

}  // namespace debtrack
