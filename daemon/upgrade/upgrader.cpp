#include "upgrade/upgrader.hpp"

#include <utility>

#include "linux/spawn/other_program.hpp"
#include "version.hpp"

namespace vigil::daemon {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLook{2};
/// A spawn that hangs (cwd on a dead mount, a look-up) would hold up everybody's clients.
constexpr milliseconds kSettleLimit{5000};

core::TimePoint clock_now() {
    return std::chrono::steady_clock::now();
}

}  // namespace

Upgrader::Upgrader(Loop& loop, Invocation self, Port port, std::shared_ptr<spdlog::logger> log)
    : loop_(loop),
      self_(std::move(self)),
      port_(std::move(port)),
      log_(std::move(log)),
      settle_timer_(loop, [this] { settle(); }) {}

void Upgrader::order(std::string program, std::function<void(const protocol::RpcError&)> refused) {
    using protocol::ErrorCode;
    if (const std::string why = port_.begin(); !why.empty()) {
        log_->warn("no upgrade: {}", why);
        return refused({.code = ErrorCode::busy, .message = why});
    }
    refused_ = std::move(refused);
    program_ = program.empty() ? self_.program : std::move(program);
    struct Work {
        Invocation self;
        std::string program;
        UniqueFd handover;
        Result<std::string, std::string> version = Failure<std::string>{"out of memory while it was proved"};
    };
    auto work = std::make_shared<Work>();
    work->self = self_;
    work->program = program_;
    // Of this moment: what it cannot read now it could not read a moment later either.
    auto memory = os::sealed_memory("vigil-handover", encode(port_.hand_over()));
    if (!memory) return fail(ErrorCode::upgrade_failed, memory.error().text());
    work->handover = std::move(memory).value();
    loop_.aside([work] { work->version = ask_for_proof(work->self, work->program, work->handover.get()); },
                [this, work] {
                    if (!work->version) return fail(ErrorCode::upgrade_failed, work->version.error());
                    version_ = *work->version;
                    settle_by_ = clock_now() + kSettleLimit;
                    port_.hold(true);
                    settle();
                });
}

void Upgrader::settle() {
    if (port_.settled()) return cross();
    if (clock_now() < settle_by_) return settle_timer_.arm(clock_now() + kLook);
    port_.hold(false);
    fail(protocol::ErrorCode::busy,
         "a start, or something else that was asked for before, hangs; try again later");
}

void Upgrader::cross() {
    port_.rest(true);
    const Handover handover = port_.hand_over();
    auto memory = os::sealed_memory("vigil-handover", encode(handover));
    std::string why;
    if (memory) {
        log_->info("vigild {} goes on as {}, {}", kVersion, version_, program_);
        log_->flush();
        std::vector<int> kept = descriptors_of(handover);
        kept.push_back(memory->get());
        why = os::go_on_as(program_, takeover_arguments(self_, program_, false, memory->get()), kept).text();
    } else {
        why = memory.error().text();
    }
    port_.rest(false);
    port_.hold(false);
    fail(protocol::ErrorCode::upgrade_failed, why);
}

void Upgrader::fail(protocol::ErrorCode code, const std::string& why) {
    log_->error("no upgrade, vigild {} goes on: {}", kVersion, why);
    port_.end();
    std::exchange(refused_,
                  nullptr)({.code = code, .message = "vigild " + std::string(kVersion) + " goes on: " + why});
}

}  // namespace vigil::daemon
