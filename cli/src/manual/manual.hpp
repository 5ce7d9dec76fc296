#pragma once

#include <string>
#include <string_view>
#include <vector>

// Man pages and completion, made from the tables that parsing and help come from: commands.hpp, the filter fields, the
// settings and the exit codes. `tenure-manual` writes them when Tenure is built.
namespace tenure::cli::manual {

struct File {
  std::string path;  // below the folder of man pages, or below share/
  std::string text;
};

// tenure(1), and tenure-NOUN(1) for each noun. `date` is that of the page: 2026-03-02.
[[nodiscard]] std::vector<File> command_pages(std::string_view date);
// tenured(8) and tenure.toml(5).
[[nodiscard]] std::vector<File> daemon_pages(std::string_view date);

[[nodiscard]] File bash_completion();
[[nodiscard]] File zsh_completion();
[[nodiscard]] File fish_completion();

}  // namespace tenure::cli::manual
