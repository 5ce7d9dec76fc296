#pragma once

#include <tenure/daemon/frames.hpp>

#include <chrono>
#include <string>
#include <vector>

// Frames of every type, and each part that one may have or lack.
namespace tenure::daemon {

inline AssignFrame sample_assign() {
  return {.job = {.claim = {queue::JobSeq{258}, {queue::Incarnation{3}, 7}},
                  .id = queue::JobId{*Uuid::parse("019cadff-fbe9-7e60-8d13-c2a9945b7a01")},
                  .tenant = TenantName{"acme"},
                  .generation = Generation{4},
                  .kind = "billing.send_invoice",
                  .envelope = std::string{"tenure/1\0x", 10},
                  .cursor = "c9",
                  .attempt = 2,
                  .attempts_max = 10,
                  .releases = 3,
                  .time_limit = std::chrono::microseconds{5},
                  .capture = queue::CaptureWish{queue::CaptureNumber{6}, queue::CaptureOn::success},
                  .start_before = from_us(1'700'000'000'000'001),
                  .history = {.by_rule = {{"E", 2}}, .first = from_us(5)},
                  .queue = "mailers",
                  .created = from_us(6)},
          .receipt_horizon = queue::JobId{*Uuid::parse("019cadfe-0000-7000-8000-0000000000ff")}};
}

inline FinishedFrame sample_with_outbox() {
  FinishedFrame frame{{{queue::JobSeq{1}, {queue::Incarnation{2}, 3}},
                       queue::RunResult::succeeded,
                       std::chrono::microseconds{9},
                       {}}};
  frame.end.failure.code = ErrorCode{};
  frame.end.outbox = queue::OutboxReport{
      .owner = {TenantName{"acme"}, Generation{4}},
      .rows = {queue::OutboxSeq{9}, {{queue::OutboxSeq{7}, "on"}, {queue::OutboxSeq{9}, ""}}},
      .is_all = false};
  return frame;
}

inline FinishedFrame sample_with_capsule() {
  FinishedFrame frame{{{queue::JobSeq{1}, {queue::Incarnation{2}, 3}},
                       queue::RunResult::succeeded,
                       std::chrono::microseconds{9},
                       {}}};
  frame.end.failure.code = ErrorCode{};
  frame.end.capsule = queue::TakenCapsule{queue::CaptureNumber{6}, "a.capsule"};
  return frame;
}

inline FinishedFrame sample_with_result() {
  FinishedFrame frame{{{queue::JobSeq{1}, {queue::Incarnation{2}, 3}},
                       queue::RunResult::succeeded,
                       std::chrono::microseconds{9},
                       {}}};
  frame.end.failure.code = ErrorCode{};
  frame.end.returned = queue::JobResult{"[1]", std::chrono::minutes{1}};
  return frame;
}

inline FinishedFrame sample_without_capsule() {
  FinishedFrame frame = sample_with_capsule();
  frame.end.capsule->file.clear();
  frame.end.capsule->failure = Failure{ErrorCode::limit_reached, "too large", {}, "invoice"};
  return frame;
}

inline FinishedFrame sample_decided(const queue::RunDecision& decision) {
  FinishedFrame frame{{{queue::JobSeq{1}, {queue::Incarnation{2}, 3}},
                       queue::RunResult::failed,
                       std::chrono::microseconds{9},
                       {ErrorCode::handler_failed, "no"}}};
  frame.end.decision = decision;
  return frame;
}

inline std::vector<Frame> samples() {
  AssignFrame untenanted = sample_assign();
  untenanted.job.capture.reset();
  untenanted.job.start_before.reset();
  untenanted.job.history = {};
  untenanted.job.tenant.reset();
  untenanted.job.generation = {};
  untenanted.receipt_horizon = {};
  untenanted.job.envelope.clear();
  untenanted.job.cursor.clear();
  FinishedFrame all_rows = sample_with_outbox();
  all_rows.end.outbox->is_all = true;
  FinishedFrame unread = sample_with_outbox();
  unread.end.outbox->rows = {};
  return {
      HelloFrame{.program_version = "billing 1.2", .kinds = {{"a.b", "default"}, {"a.c", "reports", 41, 42}}},
      FinishedFrame{{{queue::JobSeq{1}, {queue::Incarnation{2}, 3}},
                     queue::RunResult::succeeded,
                     std::chrono::microseconds{9},
                     {}}},
      FinishedFrame{{{queue::JobSeq{1}, {queue::Incarnation{2}, 3}},
                     queue::RunResult::failed,
                     std::chrono::microseconds{0},
                     {ErrorCode::wrong_tenant, "no"}}},
      FinishedFrame{
          {{queue::JobSeq{9}, {}}, queue::RunResult::not_started, std::chrono::microseconds{0}, {}}},
      FinishedFrame{{{queue::JobSeq{9}, {}}, queue::RunResult::expired, std::chrono::microseconds{0}, {}}},
      ProgressFrame{
          {{queue::JobSeq{1}, {queue::Incarnation{2}, 3}}, queue::Progress{4, 5, "importing"}, "c\n7"}},
      ProgressFrame{{{queue::JobSeq{1}, {queue::Incarnation{2}, 3}}, std::nullopt, "c7"}},
      ProgressFrame{{{queue::JobSeq{1}, {queue::Incarnation{2}, 3}}, queue::Progress{4, 0, ""}, ""}},
      PongFrame{},
      LeavingFrame{},
      DescribeFrame{},
      WelcomeFrame{.protocol = 1, .slots = 3},
      RefusedFrame{"too old"},
      sample_assign(),
      untenanted,
      RecallFrame{{queue::JobSeq{5}, {queue::Incarnation{6}, 7}}},
      StopTokenFrame{queue::JobSeq{8}, StopReason::time_limit},
      DrainFrame{},
      PingFrame{},
      sample_with_outbox(),
      all_rows,
      unread,
      sample_with_capsule(),
      sample_without_capsule(),
      sample_with_result(),
      sample_decided({.what = queue::Decided::retry, .wait = std::chrono::microseconds{7}, .rule = "E"}),
      sample_decided({.what = queue::Decided::discard, .rule = ""}),
      sample_decided({.what = queue::Decided::dead, .reason = queue::JobReason::time_exhausted, .rule = ""}),
      sample_decided({.what = queue::Decided::put_off, .wait = std::chrono::hours{24 * 3650}, .rule = ""}),
      AcknowledgeFrame{{TenantName{"acme"}, Generation{4}}, queue::OutboxSeq{9}},
  };
}

inline std::string written(const Frame& frame) {
  std::string bytes;
  write_frame(bytes, frame);
  return bytes;
}

}  // namespace tenure::daemon
