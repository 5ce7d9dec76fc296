#pragma once

#include <filesystem>
#include <string>

// What lies at a path, in words for messages. It follows no link and opens nothing. Threads: any.
namespace tenure {

// "a symbolic link to /srv/data", "a folder", "a fifo", "a socket", "a device" or "a file"; "nothing" where there is none.
[[nodiscard]] std::string kind_of_file_at(const std::filesystem::path& path);

// The first component of an absolute path that is a symbolic link; empty where none is.
[[nodiscard]] std::filesystem::path first_link_in(const std::filesystem::path& path);

}  // namespace tenure
