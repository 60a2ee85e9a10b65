// Layer daemon. `vigilctl upgrade`: the daemon goes on as another program, by execve(2) in place.
//
//   prove   the new program is run beside us and reads all that it would be given; it cannot: we go on
//   settle  no request is taken and no spawn begun any more; those on their way are waited for
//   cross   the output threads rest, what only we can give is written down, and the program is exchanged
//
// Until the exec everything can be taken back, and is, if anything fails.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "logger.hpp"
#include "loop/loop.hpp"
#include "protocol/rpc.hpp"
#include "upgrade/proof.hpp"

namespace vigil::daemon {

class Upgrader {
  public:
    /// What the upgrade needs of the daemon. Everything is called in the loop.
    struct Port {
        /// Takes what must not change meanwhile; a sentence where that cannot be, empty where it is done.
        std::function<std::string()> begin;
        /// Takes no request and begins no spawn from now on, or goes on doing both.
        std::function<void(bool)> hold;
        /// Whether nothing is on its way that would be lost.
        std::function<bool()> settled;
        /// Lets the output threads rest, or go on.
        std::function<void(bool)> rest;
        std::function<Handover()> hand_over;
        /// Gives up what begin() took.
        std::function<void()> end;
    };
    Upgrader(Loop& loop, Invocation self, Port port, std::shared_ptr<spdlog::logger> log);

    /// Returns at once. Empty `program`: the one that runs, as it is on the disk by now. `refused` is called,
    /// once, if it does not come to it; else this process goes on as the other program, and nobody is left to
    /// be told.
    void order(std::string program, std::function<void(const protocol::RpcError&)> refused);

  private:
    void settle();
    void cross();
    void fail(protocol::ErrorCode code, const std::string& why);

    Loop& loop_;
    Invocation self_;
    Port port_;
    std::shared_ptr<spdlog::logger> log_;
    std::string program_;
    std::string version_;  ///< of the program, as it says itself
    std::function<void(const protocol::RpcError&)> refused_;
    core::TimePoint settle_by_ = core::kNever;
    Timer settle_timer_;
};

}  // namespace vigil::daemon
