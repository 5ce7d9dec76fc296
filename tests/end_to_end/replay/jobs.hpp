#pragma once

#include <tenure/jobs/registry.hpp>

#include <cereal/cereal.hpp>

#include <cstdint>
#include <string>
#include <string_view>

// The jobs of replays. What a program performs besides, or other than the one before, is said by the variable PAY_DOES.
namespace tenure::testing {

struct Tell {
  static constexpr std::string_view kind = "test.tell";
  std::string text;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(text));
  }
};

// Asks outside for a rate and a fee (`recorded`), marks the invoice as paid and enqueues Tell (step "mark paid"), writes a line with a random number
// (step "log"), and fails by HandlerFailed.
// PAY_DOES: "mended" (it succeeds), "busy" (it fails by TenantBusy), "asks-more", "asks-less", "other-order" (it asks otherwise),
// "other-rate" (outside answers otherwise), "other-job", "other-line" (each differs there); "alters" (the table of the invoice, so that nobody can tell what has changed in it); "crash", "exit", "tell-variables", "hang" (writes its pid into $HANGS first), "client" (opens a Client by $LIVE_CONFIG), "other-database" (opens
// $LIVE_TENANTS), "network" (connects to $LIVE_PORT), "control" (sends to the socket $LIVE_SOCKET).
struct Pay {
  static constexpr std::string_view kind = "test.pay";
  static JobOptions options() { return {.attempts_max = 1}; }
  std::int64_t invoice = 0;
  template <class Archive>
  void serialize(Archive& archive) {
    archive(CEREAL_NVP(invoice));
  }
};

void add_jobs(JobRegistry& jobs);

// For breakpoints: called with the rate that the invoice is paid at.
extern "C" void pay_at_rate(std::int64_t rate);

}  // namespace tenure::testing
