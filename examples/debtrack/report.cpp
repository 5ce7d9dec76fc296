#include "report.hpp"

#include "package_list.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace debtrack {
namespace {

struct Line {
  std::string tenant;
  std::string maintainer;
  std::int64_t packages = 0;
  std::int64_t installed_kib = 0;
  std::string digest;
  bool complete = false;
};

Line read_line(tenure::TenantReader& reader) {
  Line line{.tenant = reader.tenant().text()};
  auto rows = reader.query(
      "select (select address from maintainer), (select count(*) from package), "
      "(select coalesce(sum(installed_kib), 0) from package), (select text from digest), "
      "(select packages from summary) = (select count(*) from package)");
  rows.next();
  const tenure::TenantRow& row = rows.row();
  line.maintainer = row.text(0);
  line.packages = row.integer(1);
  line.installed_kib = row.integer(2);
  line.digest = row.text(3);
  // The name follows from the address, so a database in another one's place shows.
  line.complete =
      row.integer(4) == 1 && !line.digest.empty() && tenant_name_of(line.maintainer) == line.tenant;
  return line;
}

void for_each_tenant(tenure::Client& client, const std::function<void(Line)>& visit) {
  constexpr std::size_t kPage = 500;
  std::optional<tenure::TenantName> after;
  while (true) {
    const auto page = client.tenants().registry().list(after, kPage);
    for (const auto& tenant : page)
      tenure::with_tenant(tenant.name, [&] {
        auto lease = client.tenants().open(tenant.name, tenure::HandleAccess::read_only);
        visit(lease->read(read_line));
      });
    if (page.size() < kPage) return;
    after = page.back().name;
  }
}

}  // namespace

bool print_report(tenure::Client& client) {
  std::vector<Line> lines;
  for_each_tenant(client, [&](Line line) { lines.push_back(std::move(line)); });
  std::sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) { return a.packages > b.packages; });

  constexpr std::size_t kShown = 10;
  std::printf("%-44s %9s %14s\n", "TENANT", "PACKAGES", "INSTALLED MIB");
  for (std::size_t i = 0; i < std::min(kShown, lines.size()); ++i)
    std::printf("%-44s %9lld %14lld\n", lines[i].tenant.c_str(), static_cast<long long>(lines[i].packages),
                static_cast<long long>(lines[i].installed_kib / 1024));
  if (!lines.empty())
    std::printf("\ndigest of %s:\n  %s\n\n", lines[0].tenant.c_str(), lines[0].digest.c_str());

  std::int64_t packages = 0;
  std::size_t incomplete = 0;
  for (const Line& line : lines) {
    packages += line.packages;
    if (line.complete) continue;
    ++incomplete;
    std::fprintf(stderr, "debtrack: %s is incomplete, or in another maintainer's place\n",
                 line.tenant.c_str());
  }
  std::printf("%zu tenants hold %lld packages\n", lines.size(), static_cast<long long>(packages));
  return incomplete == 0 && !lines.empty();
}

void print_counts(tenure::Client& client) {
  for_each_tenant(client, [](const Line& line) {
    std::printf("%lld\t%s\n", static_cast<long long>(line.packages), line.maintainer.c_str());
  });
}

}  // namespace debtrack
