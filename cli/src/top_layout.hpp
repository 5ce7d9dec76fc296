#pragma once

#include "live_frame.hpp"
#include "show_text.hpp"
#include "top_picture.hpp"

#include <tenure/cli/live_terminal.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

// Where on a screen of some size what stands, without I/O.
namespace tenure::cli {

enum class TopTable : std::uint8_t { tenants, queues, kinds, workers };

// What whoever looks has chosen.
struct TopChoice {
  TopTable table = TopTable::tenants;
  std::size_t row = 0;  // of the table, from 0
};

// As many lines as the screen has rows, none wider than it. Narrow ones have the chosen table alone, in place of tenants, queues and
// kinds beside each other.
[[nodiscard]] Frame top_frame(const TopPicture& picture, const TopChoice& choice, TerminalSize size);

// One picture for whoever reads lines: all tables, each with its first rows.
[[nodiscard]] std::string top_text(const TopPicture& picture, const ShowStyle& style);

// What a chosen row is called: its name, or its number.
[[nodiscard]] std::vector<std::string> names_of_rows(const TopPicture& picture, TopTable table);

}  // namespace tenure::cli
