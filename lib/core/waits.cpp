#include "core/waits.hpp"
