#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace tenure::cli {

// Rows under one header line, two spaces between columns. Cells are printable already and nothing in them wraps.
struct TableColumn {
  std::string title;
  bool right = false;  // numbers
  bool kept = false;   // ids and names: neither cut nor dropped
  bool cut = false;    // free text: shortened before anything is dropped
  int rank = 0;        // where not all fit, the greatest is dropped first, and the right one of equals
};

struct TableStyle {
  std::size_t columns_max = 0;  // characters of a line; columns that do not fit are dropped; 0: no limit
  bool bold_header = false;
};

[[nodiscard]] std::string table_text(const std::vector<TableColumn>& columns,
                                     const std::vector<std::vector<std::string>>& rows,
                                     const TableStyle& style);

}  // namespace tenure::cli
