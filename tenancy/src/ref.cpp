#include <tenure/tenancy/ref.hpp>

#include <fmt/format.h>

namespace tenure::detail {
namespace {

constexpr std::size_t kMissingShownMax = 20;

}  // namespace

Result<GlobalId> checked_id(Result<GlobalId> id, std::string_view model, RecordsOf records) {
  if (!id) return id;
  if (id->model() != model)
    return fail(ErrorCode::bad_global_id,
                fmt::format("{} is an id of the model {}, {} belongs here", id->text(), id->model(), model));
  if (records == RecordsOf::all_tenants && id->tenant())
    return fail(ErrorCode::bad_global_id,
                fmt::format("{} names a tenant, and the model {} is shared by all", id->text(), model));
  return id;
}

// The order is part of the contract: what is wrong with the id itself comes before what is wrong around it.
void require_locatable(const TenantReader& reader, const std::optional<GlobalId>& id, RecordsOf records) {
  if (!id) raise(ErrorCode::bad_global_id, "an empty reference refers to no record");
  if (records == RecordsOf::one_tenant) {
    if (!id->tenant())
      raise(ErrorCode::missing_tenant, fmt::format("{} names no tenant, and its model has one", id->text()));
    require_current(*id->tenant(), Generation{}, "the id " + id->text());
    if (*id->tenant() != reader.tenant())
      raise(ErrorCode::wrong_tenant,
            fmt::format("the id {} was used with a handle of {}", id->text(), reader.tenant().text()),
            id->tenant()->text());
  }
  reader.require_usable();
  if (id->application() != reader.application())
    raise(ErrorCode::bad_global_id, fmt::format("{} belongs to the application {}, this is {}", id->text(),
                                                id->application(), reader.application()));
}

void raise_not_found(const TenantReader& reader, const std::vector<std::string>& missing) {
  std::string list;
  for (std::size_t at = 0; at < std::min(missing.size(), kMissingShownMax); ++at)
    list += (at == 0 ? "" : ", ") + missing[at];
  if (missing.size() > kMissingShownMax)
    list += fmt::format(" and {} more", missing.size() - kMissingShownMax);
  raise(ErrorCode::record_not_found, fmt::format("no record is there for {}", list), reader.tenant().text());
}

void raise_empty_ref(std::string_view model) {
  raise(ErrorCode::bad_global_id, fmt::format("an empty reference to {} was used", model));
}

}  // namespace tenure::detail
