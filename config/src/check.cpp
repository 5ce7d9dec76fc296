#include <tenure/base/file_kind.hpp>
#include <tenure/base/names.hpp>
#include <tenure/base/system.hpp>
#include <tenure/base/text.hpp>
#include <tenure/config/check.hpp>
#include <tenure/config/seal_keys.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <sys/stat.h>
#include <unistd.h>

namespace tenure::config {
namespace {

// The default is in force where nobody names another path, most often because the configuration was not named.
std::string default_path_text(const std::filesystem::path& path) {
  return path == StoreSettings{}.path ? "; this is the default path: another one stands in a configuration, "
                                        "which TENURE_CONFIG or --config FILE names"
                                      : "";
}

class MachineCheck {
 public:
  MachineCheck(const Settings& settings, const Machine& machine) : settings_(settings), machine_(machine) {}

  MachineFindings run() {
    check_data_file("store.path", settings_.store.path);
    const std::string_view tenants = folder_before_placeholders(settings_.tenants.path);
    check_file_system("tenants.path", existing_ancestor(tenants));
    if (!settings_.tenants.migrations.empty() &&
        !std::filesystem::is_directory(settings_.tenants.migrations, ignored_))
      problem("tenants.migrations", settings_.tenants.migrations, "is no folder");
    check_log_file();
    if (settings_.pools.empty())
      findings_.problems.push_back({"this machine", "pool",
                                    "there is no [[pool]], so tenured would not start; a configuration of "
                                    "programs that only enqueue needs none"});
    for (std::size_t i = 0; i < settings_.pools.size(); ++i) check_program(i);
    check_keys();
    if (machine_.descriptors_limit != 0 &&
        static_cast<std::uint64_t>(settings_.tenants.descriptors_max) > machine_.descriptors_limit)
      findings_.warnings.push_back(
          {"this machine", "tenants.descriptors_max",
           fmt::format(
               "tenants.descriptors_max = {}: the limit of open files is {}; raise LimitNOFILE or lower it",
               settings_.tenants.descriptors_max, machine_.descriptors_limit)});
    return std::move(findings_);
  }

 private:
  void problem(const std::string& key, const std::filesystem::path& path, std::string_view what) {
    findings_.problems.push_back(
        {"this machine", key, fmt::format("{} = \"{}\": {}", key, escaped(path.string()), what)});
  }

  std::filesystem::path existing_ancestor(std::filesystem::path path) {
    while (path.has_relative_path() && !std::filesystem::exists(path, ignored_)) path = path.parent_path();
    return path;
  }

  void check_data_file(const std::string& key, const std::filesystem::path& path) {
    const std::filesystem::path folder = path.parent_path();
    struct stat status {};
    if (::stat(folder.c_str(), &status) != 0)
      return problem(key, path, "its folder cannot be used: " + system_text(errno) + default_path_text(path));
    if (!S_ISDIR(status.st_mode)) return problem(key, path, "what should be its folder is none");
    if (::access(folder.c_str(), W_OK | X_OK) != 0)
      return problem(key, path, "its folder may not be written by this user");
    if (const auto link = first_link_in(path); !link.empty())
      return problem(key, path,
                     fmt::format("{} is {}, and Tenure follows none to a database", escaped(link.string()),
                                 kind_of_file_at(link)));
    if (::stat(path.c_str(), &status) == 0) {
      if (!S_ISREG(status.st_mode))
        return problem(key, path, "is not a regular file but " + kind_of_file_at(path));
      if (::access(path.c_str(), R_OK | W_OK) != 0)
        return problem(key, path, "may not be read and written by this user");
    }
    check_file_system(key, folder);
  }

  void check_file_system(const std::string& key, const std::filesystem::path& folder) {
    const std::string_view network = network_file_system_below(folder).value_or("");
    if (!network.empty())
      problem(key, folder,
              fmt::format("lies on {}; locks do not hold on a network file system, so use a local disk",
                          network));
    else if (lies_in_memory(folder))
      findings_.warnings.push_back(
          {"this machine", key,
           fmt::format("{} = \"{}\": lies in memory, and is gone after a restart of the machine", key,
                       escaped(folder.string()))});
  }

  // It and its folders are made where they are missing.
  void check_log_file() {
    const std::filesystem::path& file = settings_.log.file;
    if (file.empty()) return;
    const auto there = existing_ancestor(file);
    struct stat status {};
    if (::stat(there.c_str(), &status) != 0) return problem("log.file", file, system_text(errno));
    const bool is_there = there == file;
    if (is_there && S_ISDIR(status.st_mode)) return problem("log.file", file, "is a folder");
    if (!is_there && !S_ISDIR(status.st_mode))
      return problem("log.file", file, escaped(there.string()) + " is no folder");
    if (::access(there.c_str(), is_there ? W_OK : W_OK | X_OK) != 0)
      problem("log.file", file,
              is_there ? "may not be written by this user"
                       : escaped(there.string()) + " may not be written by this user");
  }

  void check_program(std::size_t i) {
    const std::filesystem::path& program = settings_.pools[i].program;
    if (!std::filesystem::is_regular_file(program, ignored_) || ::access(program.c_str(), X_OK) != 0)
      findings_.warnings.push_back(
          {"this machine", fmt::format("pool[{}].program", i),
           fmt::format("pool[{}].program = \"{}\": is no program that this user may start", i,
                       escaped(program.string()))});
  }

  // What only the service has cannot be looked at by somebody else.
  void check_keys() {
    const SecuritySettings& security = settings_.security;
    const bool has_credential = security.seal_key.starts_with(kCredentialFront) ||
                                security.seal_key_previous.starts_with(kCredentialFront);
    const bool is_service = !machine_.credentials.empty() || !has_credential;
    try {
      static_cast<void>(read_seal_keys(security, machine_.credentials));
    } catch (const Error& error) {
      const bool stops = is_service || !has_secret_keys();
      (stops ? findings_.problems : findings_.warnings)
          .push_back({"this machine", "security.seal_key", error.failure().message});
    }
  }

  const Settings& settings_;
  const Machine& machine_;
  MachineFindings findings_;
  std::error_code ignored_;
};

}  // namespace

std::string missing_store_text(const StoreSettings& store) {
  const std::filesystem::path folder = store.path.parent_path();
  std::error_code ignored;
  if (!std::filesystem::exists(folder, ignored))
    return fmt::format(
        "there is no folder {} for the control database; make it, for the user that tenured runs as{}",
        escaped(folder.string()), default_path_text(store.path));
  return fmt::format(
      "there is no control database {}; tenured makes it when it starts, and so does tenure tenant create{}",
      escaped(store.path.string()), default_path_text(store.path));
}

MachineFindings check_machine(const Settings& settings, const Machine& machine) {
  return MachineCheck(settings, machine).run();
}

}  // namespace tenure::config
