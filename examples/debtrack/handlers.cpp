#include "handlers.hpp"

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace debtrack {

void summarise(const Summarise&, tenure::JobContext& context) {
  context.once("summarise", [](tenure::JobTransaction& transaction) {
    transaction.execute(
        "insert or replace into summary (only_one, packages, installed_kib, largest) "
        "select 1, count(*), sum(installed_kib), (select id from package order by installed_kib desc, id "
        "limit 1) "
        "from package");
  });
}

void write_digest(const WriteDigest& job, tenure::JobContext& context) {
  const auto largest = context.locate(job.largest);
  context.once("write digest", [&](tenure::JobTransaction& transaction) {
    auto rows = transaction.query("select packages, installed_kib from summary");
    if (!rows.next()) throw std::runtime_error("there is no summary yet");
    const std::string text = std::to_string(rows.row().integer(0)) + " packages, " +
                             std::to_string(rows.row().integer(1) / 1024) +
                             " MiB installed; the largest is " + largest->name + " " + largest->version +
                             " (" + largest->summary + ")";
    transaction.execute("insert or replace into digest (only_one, text) values (1, ?)", text);
  });
}

std::string shelf_of(std::string_view package) {
  constexpr std::string_view kLibrary = "lib";
  return std::string(package.substr(0, package.starts_with(kLibrary) ? kLibrary.size() + 1 : 1));
}

void fill_shelves(tenure::TenantTransaction& transaction) {
  std::vector<std::pair<std::int64_t, std::string>> shelves;
  for (const tenure::TenantRow& row : transaction.query("select id, name from package"))
    shelves.emplace_back(row.integer(0), shelf_of(row.text(1)));
  for (const auto& [id, shelf] : shelves)
    transaction.execute("update package set shelf = ? where id = ?", shelf, id);
}

void add_jobs(tenure::JobRegistry& jobs) {
  jobs.add<ImportPackage>(import_package);
  jobs.add<Summarise>(summarise);
  jobs.add<WriteDigest>(write_digest);
  jobs.add_migration("0002_shelves", fill_shelves);
}

}  // namespace debtrack
