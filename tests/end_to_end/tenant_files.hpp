#pragma once

#include "installation.hpp"

#include <tenure/base/sqlite/connection.hpp>
#include <tenure/base/sqlite/statement.hpp>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

namespace tenure::testing {

// What operators do to the database of a tenant: whose file lies where, and what is in it.
class TenantFilesTest : public Installation {
 protected:
  [[nodiscard]] std::filesystem::path file(const std::string& tenant = "acme") const {
    return folder_ / "tenants" / (tenant + ".db");
  }
  [[nodiscard]] std::filesystem::path buried(int generation) const {
    return folder_ / "tenants/.graveyard" / ("acme." + std::to_string(generation) + ".db");
  }
  TenantRecord tenant() { return *store().registry().find(TenantName{"acme"}); }
  // Of a file that nobody writes.
  static int number_in(const std::filesystem::path& path, const sqlite::Query& query) {
    sqlite::Connection connection{path, {}};
    return static_cast<int>(connection.statement(query).row().integer(0));
  }
  static int rows_in(const std::filesystem::path& path, const std::string& name) {
    sqlite::Connection connection{path, {}};
    auto row = connection.statement(kRowsOfName);
    return static_cast<int>(row.bind(name).row().integer(0));
  }
  static std::string bytes_of(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void stop(Process& daemon) {
    daemon.signal(SIGTERM);
    ASSERT_EQ(daemon.wait(), "exit 0") << daemon.output();
  }
  // Runs the command of `words_at` killed at its first write, sync, truncation, rename or removal, then at its second and so on, with
  // `look` behind each kill, until it ends by itself. How often it was killed.
  int kill_everywhere(const std::function<std::vector<std::string>(int point)>& words_at,
                      const std::function<void(int point)>& look) {
    for (int point = 1;; ++point) {
      const std::filesystem::path token = folder_ / "killed";
      std::filesystem::remove(token);
      std::vector<std::string> words = words_at(point);
      words.insert(words.begin(), TENURE_PROGRAM);
      words.insert(words.end(), {"--config", config_file()});
      Process first(words, folder_ / ("first-" + std::to_string(point)),
                    {"LD_PRELOAD=" KILL_POINT, "KILL_POINT_FILES=" + folder_.path().string() + "/",
                     "KILL_POINT_PROGRAM=tenure", "KILL_POINT_NUMBER=" + std::to_string(point),
                     "KILL_POINT_TOKEN=" + token.string()});
      const auto end = first.wait();
      if (end == "exit 0") return point - 1;
      if (end != "signal 9") {
        ADD_FAILURE() << point << ": " << end.value_or("it goes on") << ", " << first.output();
        return point - 1;
      }
      look(point);
      if (HasFatalFailure()) return point;
    }
  }

  static constexpr sqlite::Query kRowsOfName{"rows_of_name", "select count(*) from run where name = ?1"};
};

}  // namespace tenure::testing
