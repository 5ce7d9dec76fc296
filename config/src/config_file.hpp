#pragma once

#include "values.hpp"

#include <tenure/config/load.hpp>

#include <filesystem>
#include <string>
#include <vector>

// A configuration file as tables of raw values, with its lines. It knows TOML and file safety, and no
// setting.
namespace tenure::config {

struct RawEntry {
  std::string key;
  RawValue value;
  int line = 0;
};

struct RawTable {
  std::string section;
  bool before_headers = false;  // what stands before the first of them, and has no section
  bool in_array = false;        // [[section]]
  int line = 0;
  std::vector<RawEntry> entries;  // in the order of their lines
};

struct RawFile {
  std::vector<RawTable> tables;  // in the order of their lines
  std::vector<Problem> problems;
  std::vector<Problem> warnings;
};

[[nodiscard]] std::string file_and_line(const std::filesystem::path& file, int line);

// Refuses what is no regular file, what everybody may write, a symbolic link of or to another owner's file,
// more than kConfigFileMax bytes, NUL, keys of more than eight dotted parts, and what is no TOML. A byte-order mark and CRLF are accepted.
[[nodiscard]] RawFile read_config_file(const std::filesystem::path& file);

}  // namespace tenure::config
