#pragma once

#include "session.hpp"

#include <tenure/base/function_ref.hpp>
#include <tenure/queue/store.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tenure::cli {

// What an operator does to tenants: to all that are named or to none of them, or to those that a filter finds, which are counted, shown
// and asked about before, and of which some may be left out.
struct TenantVerb {
  std::string_view to_do;                                 // "pause": "3 tenants to pause", "would pause acme"
  std::string_view question;                              // on a terminal
  bool (*is_for)(const queue::TenantSummary&) = nullptr;  // of what a filter finds
};

struct TenantDone {
  TenantName tenant;
  bool was_so = false;  // before
};

struct TenantsDone {
  std::vector<TenantDone> done;
  std::int64_t skipped = 0;  // of what a filter has found: their state had changed
  bool is_filter = false;
  bool is_dry_run = false;
  bool is_refused = false;  // by the answer; then nothing was changed
};

// Whether it was so before. StateChanged and what says that the tenant is not for it leave it out where a filter has found it.
using TenantAct = FunctionRef<Result<bool>(queue::StoreWriter& writer, const TenantName& tenant)>;

// `detail`: behind the tenants in the audit record. Throws what `act` fails with where the tenant was named.
[[nodiscard]] TenantsDone act_on_tenants(Session& session, const TenantVerb& verb, TenantAct act,
                                         std::string_view detail);

}  // namespace tenure::cli
