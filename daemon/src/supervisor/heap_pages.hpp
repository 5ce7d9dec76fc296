#pragma once

namespace tenure::daemon {

// Asks the kernel to back the heap by huge pages, where it lets programs ask, up to 128 MiB of it. A dispatcher's heap grows by a hundred
// megabytes within a moment where many lanes wait at its start, and the kernel is asked for each page when it is touched: in a virtual
// machine that took half of the time to the first claim. Does nothing where it cannot be.
// Before other threads start.
void prefer_huge_pages();

}  // namespace tenure::daemon
