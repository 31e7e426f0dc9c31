// libyaml: the event API.
#include <yaml.h>
