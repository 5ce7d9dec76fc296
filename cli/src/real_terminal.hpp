#pragma once

#include <tenure/cli/live_terminal.hpp>

#include <memory>

namespace tenure::cli {

// The terminal of standard input and output, both of which are one. One at a time: from its making to its end it has the signals that
// end, stop or resize a program, and whatever way the program ends but SIGKILL, the terminal is as it was.
[[nodiscard]] std::unique_ptr<LiveTerminal> open_real_terminal();

}  // namespace tenure::cli
