"""From an impression to a client: conversion of promotion, ordered funnels of persons, measures along the client's path."""

__all__: list[str] = []
