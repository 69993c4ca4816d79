# The version before the stack's, from which `npm run test:cluster -- --only upgrade-synapse` upgrades.
recipe_of synapse
