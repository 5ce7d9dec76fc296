#pragma once

#include <string_view>

namespace tenure::sqlite {

// BadConfiguration where this process has a database open, or is the child of one that had; `caller` is what must come first.
// Threads: any; it is the caller's to see that nobody opens one meanwhile.
void refuse_open_databases(std::string_view caller);

}  // namespace tenure::sqlite
