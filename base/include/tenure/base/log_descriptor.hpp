#pragma once

namespace tenure::log {

// Lines that go to standard error go to this descriptor from now on, which stays the caller's and open: for a program whose standard error
// is somebody else's. Before the first line, while there is one thread.
void use_as_standard_error(int descriptor);

}  // namespace tenure::log
