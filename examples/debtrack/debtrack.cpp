#include "jobs.hpp"
#include "package_list.hpp"
#include "report.hpp"

#include <tenure/client.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <exception>
#include <fstream>
#include <iostream>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

// The application: makes a tenant for each maintainer of a package list, enqueues, reports. It links no handler.
namespace {

using namespace debtrack;

constexpr const char* kHelp =
    "usage: debtrack COMMAND CONFIG [LIST]\n\n"
    "  load CONFIG LIST   make a tenant for each maintainer and enqueue one import\n"
    "                     for each package\n"
    "  summarise CONFIG   enqueue a summary for each tenant\n"
    "  digest CONFIG      enqueue a digest for each tenant that has a summary\n"
    "  report CONFIG      print the largest tenants and the totals, from all tenants'\n"
    "                     databases\n"
    "  counts CONFIG      print the number of packages and the address of each\n"
    "                     maintainer\n";
constexpr std::array<std::string_view, 5> kCommands{"load", "summarise", "digest", "report", "counts"};

ImportPackage to_job(const Entry& entry) {
  return {.name = entry.name,
          .version = entry.version,
          .architecture = entry.architecture,
          .section = entry.section,
          .summary = entry.summary,
          .installed_kib = entry.installed_kib};
}

void load_maintainer(tenure::Client& client, const std::string& maintainer,
                     const std::vector<Entry>& entries) {
  const tenure::TenantName tenant{tenant_name_of(maintainer)};
  client.tenants().create(tenant);
  tenure::with_tenant(tenant, [&] {
    auto lease = client.tenants().open(tenant);
    lease->write([&](tenure::TenantTransaction& transaction) {
      transaction.execute("insert into maintainer (only_one, address) values (1, ?)", maintainer);
    });
    std::vector<ImportPackage> jobs;
    jobs.reserve(entries.size());
    for (const Entry& entry : entries) jobs.push_back(to_job(entry));
    client.enqueue_all<ImportPackage>(jobs, {}, tenure::BulkRule::all_or_nothing);
  });
}

int load(tenure::Client& client, const char* file) {
  std::ifstream input(file);
  if (!input) throw std::runtime_error(std::string{"cannot read "} + file);
  const PackageList list = read_package_list(input);
  if (list.empty()) throw std::runtime_error(std::string{file} + " holds no package");

  // Making a tenant waits for the disk several times, so a few threads share the waiting.
  constexpr std::size_t kThreads = 4;
  std::vector<PackageList::const_iterator> work;
  std::size_t packages = 0;
  for (auto entry = list.begin(); entry != list.end(); ++entry) {
    work.push_back(entry);
    packages += entry->second.size();
  }
  std::atomic<std::size_t> next{0};
  std::vector<std::exception_ptr> failures(kThreads);
  {
    std::vector<std::jthread> threads;
    for (std::size_t thread = 0; thread < kThreads; ++thread)
      threads.emplace_back([&, thread] {
        try {
          for (std::size_t i = next++; i < work.size(); i = next++)
            load_maintainer(client, work[i]->first, work[i]->second);
        } catch (...) {
          failures[thread] = std::current_exception();
        }
      });
  }
  for (const auto& failure : failures)
    if (failure) std::rethrow_exception(failure);
  std::printf("%zu tenants made, %zu packages enqueued\n", list.size(), packages);
  return 0;
}

template <class Visit>
std::size_t for_each_tenant_name(tenure::Client& client, Visit&& visit) {
  constexpr std::size_t kPage = 500;
  std::optional<tenure::TenantName> after;
  std::size_t count = 0;
  while (true) {
    const auto page = client.tenants().registry().list(after, kPage);
    for (const auto& tenant : page) tenure::with_tenant(tenant.name, [&] { visit(tenant.name); });
    count += page.size();
    if (page.size() < kPage) return count;
    after = page.back().name;
  }
}

int summarise(tenure::Client& client) {
  const auto count =
      for_each_tenant_name(client, [&](const tenure::TenantName&) { client.enqueue(Summarise{}); });
  std::printf("%zu summaries enqueued\n", count);
  return 0;
}

int digest(tenure::Client& client) {
  std::size_t count = 0;
  for_each_tenant_name(client, [&](const tenure::TenantName& tenant) {
    auto lease = client.tenants().open(tenant, tenure::HandleAccess::read_only);
    const auto largest = lease->read([](tenure::TenantReader& reader) -> std::optional<tenure::Ref<Package>> {
      auto rows = reader.query("select largest from summary");
      if (!rows.next()) return std::nullopt;
      return reader.ref<Package>(rows.row().integer(0));
    });
    if (!largest) return;
    client.enqueue(WriteDigest{*largest});
    ++count;
  });
  std::printf("%zu digests enqueued\n", count);
  return 0;
}

int run(std::string_view command, const char* config, const char* list) {
  tenure::Client client = tenure::Client::open(config);
  if (command == "load") return load(client, list);
  if (command == "summarise") return summarise(client);
  if (command == "digest") return digest(client);
  if (command == "report") return print_report(client) ? 0 : 1;
  return print_counts(client), 0;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string_view command = argc > 1 ? argv[1] : "";
  if (command == "--help") return std::fputs(kHelp, stdout), 0;
  // Before the client, which makes a control database where there is none.
  if (std::ranges::find(kCommands, command) == kCommands.end() || argc != (command == "load" ? 4 : 3)) {
    std::fputs(kHelp, stderr);
    return 2;
  }
  try {
    return run(command, argv[2], argv[3]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "debtrack: %s\n", error.what());
    return 1;
  }
}
