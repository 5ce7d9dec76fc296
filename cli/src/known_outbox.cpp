#include "known_outbox.hpp"

#include <tenure/base/text.hpp>
#include <tenure/tenancy/scope.hpp>
#include <tenure/tenancy/tenant_files.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace tenure::cli {
namespace {

using queue::JobReader;
using queue::OutboxMark;
using queue::OutboxOwner;

constexpr std::size_t kOwnMarksPage = 1000;
constexpr int kDescriptors = 16;

TenantRecord find_record(JobReader& reader, const TenantName& name) {
  const auto summary = reader.tenant(name);
  if (!summary)
    raise(ErrorCode::tenant_does_not_exist, "there is no tenant " + name.text() + "; see tenure tenant list");
  return summary->tenant;
}

std::vector<OutboxMark> marks_of(JobReader& reader, const OutboxOwner& owner) {
  std::vector<OutboxMark> all, page;
  do {
    page = reader.outbox_marks(page.empty() ? queue::OutboxMarkNumber{0} : page.back().number, kOwnMarksPage);
    std::ranges::copy_if(page, std::back_inserter(all),
                         [&](const OutboxMark& mark) { return mark.owner == owner; });
  } while (page.size() == kOwnMarksPage);
  return all;
}

}  // namespace

KnownOutbox known_outbox(Session& session, const TenantName& name) {
  std::optional<KnownOutbox> known;
  session.readable_store().read([&](JobReader& reader) {
    const TenantRecord tenant = find_record(reader, name);
    const OutboxOwner owner{tenant.name, tenant.generation};
    known = KnownOutbox{.tenant = tenant,
                        .watermark = reader.outbox_watermark(owner),
                        .behind = behind_file(reader, tenant.name, tenant.generation),
                        .marks = marks_of(reader, owner),
                        .lost = reader.lost_rows(owner),
                        .has_dispatcher = reader.has_dispatcher()};
  });
  return std::move(*known);
}

void with_database(Session& session, const TenantRecord& tenant, HandleAccess access,
                   FunctionRef<void(TenantHandle&, const std::string& path)> work) {
  const config::Settings& settings = session.settings();
  HandleCache handles(TenantFiles(settings.tenants.path),
                      {.descriptors_max = kDescriptors, .application = settings.application.name});
  const TenantScope scope(tenant.name, tenant.generation);
  HandleLease lease = value_or_raise(handles.acquire(tenant.name, tenant.generation, access));
  work(*lease, handles.files().path_for(tenant.name).string());
}

std::optional<BehindFile> behind_file(JobReader& reader, const TenantName& tenant, Generation generation) {
  const auto newest = reader.outbox_behind({tenant, generation});
  if (!newest) return std::nullopt;
  return BehindFile{*newest, reader.outbox_watermark({tenant, generation})};
}

std::string text_of(const BehindFile& behind) {
  return fmt::format(
      "{}: its database is an older copy, whose outbox has given {} numbers, and {} were taken over",
      kFileBehind, behind.newest.value, behind.watermark.value);
}

std::string change_of_behind(const TenantName& tenant) {
  return fmt::format("put the right file in its place, then: tenure tenant recheck {}",
                     escaped(tenant.text()));
}

}  // namespace tenure::cli
