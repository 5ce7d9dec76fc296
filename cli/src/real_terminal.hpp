#pragma once

#include <tenure/cli/live_terminal.hpp>

#include <memory>

namespace tenure::cli {

// The terminal of standard input and output, both of which are one. One at a time: from its making to its end it has the signals that
// end, stop or resize a program, and whatever way the program ends but SIGKILL, the terminal is as it was. One that takes nothing holds
// none of that up: of what is to be written, it misses the rest.
[[nodiscard]] std::unique_ptr<LiveTerminal> open_real_terminal();

}  // namespace tenure::cli
