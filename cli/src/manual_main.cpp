// The program `tenure-manual`, which the build runs: writes man pages, completion and the sample of a configuration. It is not installed.

#include "manual/manual.hpp"

#include <tenure/config/setting_table.hpp>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>

namespace {

namespace manual = tenure::cli::manual;

void write(const std::filesystem::path& folder, const manual::File& file) {
  const std::filesystem::path path = folder / file.path;
  std::filesystem::create_directories(path.parent_path());
  std::ofstream out(path, std::ios::binary);
  out.exceptions(std::ios::failbit | std::ios::badbit);
  out << file.text << std::flush;
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) return std::fputs("usage: tenure-manual FOLDER DATE\n", stderr), 2;
  const std::filesystem::path folder = argv[1];
  // What a former table named must not be installed.
  std::filesystem::remove_all(folder);
  for (const manual::File& page : manual::command_pages(argv[2])) write(folder / "man", page);
  for (const manual::File& page : manual::daemon_pages(argv[2])) write(folder / "man", page);
  for (const manual::File& script :
       {manual::bash_completion(), manual::zsh_completion(), manual::fish_completion()})
    write(folder / "share", script);
  write(folder / "doc", {"tenure.toml.sample", tenure::config::sample()});
} catch (const std::exception& error) {
  std::fprintf(stderr, "tenure-manual: %s\n", error.what());
  return 1;
}
