#pragma once

#include <tenure/queue/filter.hpp>

#include <span>
#include <string_view>
#include <vector>

namespace tenure::cli {

// The words by which the lists of one noun are filtered, sorted and shown.
struct ListWords {
  std::span<const queue::FilterField> filter_fields;
  std::span<const std::string_view> sort_fields;  // of --sort
  std::vector<std::string_view> columns;          // of --columns
};

}  // namespace tenure::cli
