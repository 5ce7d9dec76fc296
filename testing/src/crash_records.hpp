#pragma once

#include <tenure/base/system.hpp>

#include <filesystem>
#include <string>
#include <vector>

// What a process that may die at any moment tells another one: records in a file, one write each.
namespace tenure::testing::detail {

// A word, then whatever belongs to it, any bytes.
using Record = std::vector<std::string>;

class RecordWriter {
 public:
  // Makes the file or adds to it. DiskError.
  explicit RecordWriter(const std::filesystem::path& path);
  // DiskError.
  void add(const Record& record);

 private:
  std::filesystem::path path_;
  Descriptor file_;
};

// In the order in which they were added; none where there is no file. One that was cut off ends them.
[[nodiscard]] std::vector<Record> read_records(const std::filesystem::path& path);

}  // namespace tenure::testing::detail
