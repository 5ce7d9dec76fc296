#include <cctype>
#include <debtrack/handlers.hpp>
#include <string>

// As it was until a package without a summary came: what docs/manual/replay-session.md begins with.
namespace debtrack {
namespace {

std::string capitalised(std::string summary) {
  char& first = summary.at(0);
  first = static_cast<char>(std::toupper(static_cast<unsigned char>(first)));
  return summary;
}

}  // namespace

void import_package(const ImportPackage& job, tenure::JobContext& context) {
  const std::string summary = capitalised(job.summary);
  context.once("import", [&](tenure::JobTransaction& transaction) {
    transaction.execute(
        "insert into package (name, version, architecture, section, installed_kib, summary) values (?, ?, ?, "
        "?, ?, ?)",
        job.name, job.version, job.architecture, job.section, job.installed_kib, summary);
  });
}

}  // namespace debtrack
