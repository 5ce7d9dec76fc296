#include "handlers.hpp"

#include <cctype>
#include <string>

namespace debtrack {
namespace {

// As a sentence begins. A package may have no summary.
std::string capitalised(std::string summary) {
  if (summary.empty()) return summary;
  char& first = summary.front();
  first = static_cast<char>(std::toupper(static_cast<unsigned char>(first)));
  return summary;
}

}  // namespace

void import_package(const ImportPackage& job, tenure::JobContext& context) {
  const std::string summary = capitalised(job.summary);
  context.once("import", [&](tenure::JobTransaction& transaction) {
    transaction.execute(
        "insert into package (name, version, architecture, section, installed_kib, summary, shelf) "
        "values (?, ?, ?, ?, ?, ?, ?)",
        job.name, job.version, job.architecture, job.section, job.installed_kib, summary, shelf_of(job.name));
  });
}

}  // namespace debtrack
