#include "handlers.hpp"

#include <stdexcept>
#include <string>

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

void add_jobs(tenure::JobRegistry& jobs) {
  jobs.add<ImportPackage>(import_package);
  jobs.add<Summarise>(summarise);
  jobs.add<WriteDigest>(write_digest);
}

}  // namespace debtrack
